"""The roles, as Django groups: a viewer reads, an operator acts, an admin also gives roles and revokes tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

VIEWER, OPERATOR, ADMIN = "viewer", "operator", "admin"
START, CHANGE, DRAIN = "research.add_research", "research.change_research", "research.change_worker"
REVOKE, MANAGE = "research.change_workertoken", "auth.change_user"
_ACCOUNTS = ("auth.view_user", "auth.add_user", MANAGE, "auth.view_group")


def make_groups(**_signal: Any) -> None:
    """The groups, with their permissions, where they are missing; receiver of `post_migrate`, after Django's own.

    A group that is there is left as it is: what an administrator changed stays.
    """
    from django.contrib.auth.models import Group, Permission

    looks = Permission.objects.filter(content_type__app_label="research", codename__startswith="view_")
    rights: dict[str, Iterable[Permission]] = {
        VIEWER: looks,
        OPERATOR: [*looks, *_permissions(START, CHANGE, DRAIN)],
        ADMIN: [*Permission.objects.filter(content_type__app_label="research"), *_permissions(*_ACCOUNTS)],
    }
    for name, permissions in rights.items():
        group, new = Group.objects.get_or_create(name=name)
        if new:
            group.permissions.set(permissions)


def role_of(user: Any) -> str:
    """`superuser`, `admin`, `operator` or `viewer`."""
    if user.is_superuser:
        return "superuser"
    if user.has_perm(MANAGE):
        return ADMIN
    return OPERATOR if user.has_perm(CHANGE) else VIEWER


def administers(user: Any) -> bool:
    """May enter Django's admin: operators and admins need not be staff for it."""
    return bool(user.is_active and (user.is_staff or user.has_perm(CHANGE)))


def _permissions(*names: str) -> list[Any]:
    from django.contrib.auth.models import Permission

    split = [name.split(".") for name in names]
    return [Permission.objects.get(content_type__app_label=app, codename=codename) for app, codename in split]
