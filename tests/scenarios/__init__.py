"""The recovery contract's scenarios: which test shows each, and what each test sees when its mechanism is off."""
