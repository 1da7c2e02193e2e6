"""The site's addresses as a development server has them."""

from django.urls import include, path

from config.urls import urlpatterns as site
from people.devmail import urls

urlpatterns = [path("dev/mail/", include(urls)), *site]
