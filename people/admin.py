"""People in the admin: accounts, the creator group, who follows whom."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin

# Staff sign in where everybody does: with its rate limits and second step.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
