"""URLs of the pages that combine several apps."""

from django.urls import path

from pages import (
    anything_views,
    invitation_views,
    message_report_views,
    own_data_views,
    policy_views,
    prepared_views,
    receipt_views,
    replay_views,
    report_views,
    staff_views,
    views,
)
from social import converters as _converters  # noqa: F401  # makes <writer:…> known

app_name = "pages"

urlpatterns = [
    path("", views.home, name="home"),
    path("rooms/demo/", views.start_demo, name="demo"),
    path("rooms/open/", views.open_page, name="open"),
    path("r/<slug:slug>/", views.room_page, name="room"),
    path("r/<slug:slug>/staff/live.m3u8", staff_views.live_playlist, name="staff-live"),
    path("r/<slug:slug>/prepared/", prepared_views.change, name="prepared-change"),
    path("r/<slug:slug>/open/", prepared_views.open_now, name="prepared-open"),
    path("r/<slug:slug>/cancel/", prepared_views.cancel, name="prepared-cancel"),
    path("r/<slug:slug>/entry/", policy_views.entry, name="entry"),
    path("r/<slug:slug>/speak/", policy_views.speak, name="speak"),
    path("r/<slug:slug>/speak/to-audience/", policy_views.to_audience, name="to-audience"),
    path("r/<slug:slug>/invite/", invitation_views.invite_page, name="invite"),
    path("r/<slug:slug>/invitation/accept/", invitation_views.accept, name="accept-invitation"),
    path("r/<slug:slug>/invitation/decline/", invitation_views.decline, name="decline-invitation"),
    path("r/<slug:slug>/listen.m3u8", invitation_views.listen_by, name="listen-by"),
    path("r/<slug:slug>/come/", invitation_views.come, name="come"),
    path("r/<slug:slug>/come/<str:token>/", invitation_views.open_link, name="open-link"),
    path("r/<slug:slug>/end/", views.end, name="end"),
    path("r/<slug:slug>/language/", views.language, name="language"),
    path("r/<slug:slug>/replay/", replay_views.replay_page, name="replay"),
    path("r/<slug:slug>/replay/publish/", replay_views.publish, name="publish"),
    path("r/<slug:slug>/replay/objection/", replay_views.objection, name="objection"),
    path("r/<slug:slug>/replay/download/", replay_views.download, name="download"),
    path("r/<slug:slug>/replay/retry/", replay_views.retry, name="retry"),
    path("r/<slug:slug>/replay/lines/<int:pk>/", replay_views.correct, name="correct"),
    path("r/<slug:slug>/replay/my-lines.<slug:kind>", replay_views.own_lines, name="own-lines"),
    path("rooms/<slug:slug>/report/", report_views.report_page, name="report"),
    path("messages/<writer:handle>/<int:pk>/report/", message_report_views.report_page, name="report-message"),
    path("report/", anything_views.report_page, name="report-anything"),
    path("reports/<uuid:receipt>/", receipt_views.receipt_page, name="receipt"),
    path("settings/data/<int:pk>/download/", own_data_views.download, name="own-data"),
    path("dashboard/", views.dashboard, name="dashboard"),
]
