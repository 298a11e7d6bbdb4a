"""Addresses of the pages. Actions are nouns: what one posts is what then exists."""

from django.contrib.auth.views import LoginView, LogoutView
from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView

from research.dashboard.views import actions, bulk, data, events, overview, research, researches, theme, workers

urlpatterns = [
    path("", overview.show, name="overview"),
    path("overview/part/<str:name>", overview.part, name="overview-part"),
    path("login", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("favicon.ico", RedirectView.as_view(url=static("ktrdr/favicon.svg")), name="favicon"),
    path("theme", theme.choose, name="theme"),
    path("researches", researches.collection, name="researches"),
    path("researches", researches.collection, name="research-start"),  # the same place: a POST makes one more
    path("researches/table", researches.table, name="researches-table"),
    path("researches/cancellation", bulk.cancel, name="researches-cancel"),
    path("researches/resumption", bulk.resume, name="researches-resume"),
    path("research/<int:pk>", research.show, name="research"),
    path("research/<int:pk>/part/<str:name>", research.part, name="research-part"),
    path("research/<int:pk>/cancellation", actions.cancel, name="research-cancel"),
    path("research/<int:pk>/resumption", actions.resume, name="research-resume"),
    path("workers", workers.show, name="workers"),
    path("workers/part/list", workers.part, name="workers-part"),
    path("workers/<str:name>", workers.one, name="worker"),
    path("workers/<str:name>/part", workers.one_part, name="worker-part"),
    path("data", data.collection, name="data"),
    path("data/part", data.part, name="data-part"),
    path("data/<int:pk>", data.one, name="dataset"),
    path("events", events.show, name="events"),
    path("events/part", events.part, name="events-part"),
    path("events/export/<str:form>", events.export, name="events-export"),
    path("tokens/<str:name>/revocation", actions.revoke, name="token-revoke"),
    path("workers/<str:name>/drain", actions.drain, name="worker-drain"),
]
