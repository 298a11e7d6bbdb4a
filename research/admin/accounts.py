"""Accounts: an admin makes them and gives roles; only a superuser can make another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group

if TYPE_CHECKING:
    from django.http import HttpRequest

User = get_user_model()
admin.site.unregister(User)
admin.site.unregister(Group)
_POWERS = ("is_superuser", "is_staff", "user_permissions")


@admin.register(User)
class AccountAdmin(UserAdmin):
    list_display = ["username", "roles", "is_active", "is_superuser", "last_login"]
    list_filter = ["groups", "is_active", "is_superuser"]

    @admin.display(description="roles")
    def roles(self, user: Any) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all())) or "viewer"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Powers that only a superuser gives: an admin could otherwise make themselves one."""
        fixed = tuple(super().get_readonly_fields(request, obj))
        return fixed if request.user.is_superuser else (*fixed, *_POWERS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A superuser's account, password included, is changed by superusers only."""
        protected = obj is not None and obj.is_superuser and not request.user.is_superuser
        return not protected and super().has_change_permission(request, obj)


@admin.register(Group)
class RoleAdmin(GroupAdmin):
    list_display = ["name", "permits"]

    @admin.display(description="permissions")
    def permits(self, group: Group) -> int:
        return group.permissions.count()
