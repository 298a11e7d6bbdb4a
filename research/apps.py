from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ResearchConfig(AppConfig):
    name = "research"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from research import checks  # noqa: F401 - registers them
        from research.roles import make_groups

        post_migrate.connect(make_groups, sender=self)
