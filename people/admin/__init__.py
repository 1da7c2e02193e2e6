"""The admin of people: accounts, second steps, sanctions, the creator group."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin

from core.admin.search import normalise_searches
from people.admin import mfa, standing, users
from people.creators import admin as creators
from people.staff_gate import install_gate

# Staff sign in on the same page as everybody, with its rate limits and second step.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = "Stamtafel"
install_gate()
normalise_searches()

__all__ = ["creators", "mfa", "standing", "users"]
