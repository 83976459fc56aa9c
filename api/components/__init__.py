"""A dossier's components over HTTP: their files are listed, given out, handed in and replaced."""

from fastapi import APIRouter

from api.components import giving, handing

router = APIRouter()
router.include_router(giving.router)
router.include_router(handing.router)
