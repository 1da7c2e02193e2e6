"""Pages of the own account, and of the creator group."""

from django.urls import path, re_path

from people import credential_views, own_data_views, staff_gate, views

app_name = "people"

urlpatterns = [
    path("settings/", views.settings_page, name="settings"),
    path("settings/picture/", views.picture_form, name="settings_picture"),
    path("settings/rooms/", views.settings_rooms, name="settings_rooms"),
    path("settings/messages/", views.settings_messages, name="settings_messages"),
    path("settings/data/", own_data_views.own_data, name="own_data"),
    path("settings/data/ask/", own_data_views.ask_for_data, name="ask_for_data"),
    path("settings/sessions/", credential_views.sessions, name="sessions"),
    path("settings/sessions/others/end/", credential_views.end_others, name="end_others"),
    path("settings/sessions/<str:key>/end/", credential_views.end_session, name="end_session"),
    path("settings/token/", credential_views.new_token, name="new_token"),
    path("settings/token/<int:pk>/end/", credential_views.end_token, name="end_token"),
    path("staff/second-step/", staff_gate.second_step, name="second_step"),
    path("creators/", views.creators, name="creators"),
    path("creators/withdraw/", views.withdraw, name="creators_withdraw"),
    re_path(r"^pictures/(?P<name>people/[0-9a-f]{32}\.webp)$", views.picture, name="picture"),
]
