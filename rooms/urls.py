"""Pages of rooms."""

from django.urls import path

from rooms import views

app_name = "rooms"

urlpatterns = [
    path("", views.home, name="home"),
    path("rooms/demo/", views.start_demo, name="demo"),
    path("rooms/open/", views.open_page, name="open"),
    path("r/<slug:slug>/", views.room_page, name="room"),
    path("r/<slug:slug>/entry/", views.entry, name="entry"),
    path("dashboard/", views.dashboard, name="dashboard"),
]
