"""Addresses of the pages. Actions are nouns: what one posts is what then exists."""

from django.contrib.auth.views import LoginView, LogoutView
from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView

from research.dashboard.views import actions, overview, research, theme

urlpatterns = [
    path("", overview.show, name="overview"),
    path("overview/part/<str:name>", overview.part, name="overview-part"),
    path("login", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("favicon.ico", RedirectView.as_view(url=static("ktrdr/favicon.svg")), name="favicon"),
    path("theme", theme.choose, name="theme"),
    path("researches", actions.start, name="research-start"),
    path("research/<int:pk>", research.show, name="research"),
    path("research/<int:pk>/part/<str:name>", research.part, name="research-part"),
    path("research/<int:pk>/cancellation", actions.cancel, name="research-cancel"),
    path("research/<int:pk>/resumption", actions.resume, name="research-resume"),
    path("workers/<str:name>/drain", actions.drain, name="worker-drain"),
]
