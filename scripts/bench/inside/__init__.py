"""What a benchmark runs in a process of its own, with Django set up for the data folder that is measured."""
