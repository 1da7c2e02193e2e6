"""The site's addresses as a site with a development key has them."""

from django.urls import include, path

from config.development import urls
from config.urls import urlpatterns as site

DEV_KEY = "0123456789abcdef" * 3

urlpatterns = [path("dev/", include(urls)), *site]
