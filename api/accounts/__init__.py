"""Accounts over HTTP: sessions, administration, service keys, sign-in by OpenID Connect."""

from fastapi import APIRouter

from api.accounts import administering, oidc, sessions

router = APIRouter(tags=["accounts"])
for each in (sessions.checking, sessions.router, oidc.router, administering.router):
    router.include_router(each, prefix="/v1/accounts")
