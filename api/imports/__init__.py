"""Files of other systems over HTTP: mapped, tried, handed in, taken in; and what became of them."""

from fastapi import APIRouter

from api.imports import asking, telling, trying

router = APIRouter()
router.include_router(trying.router)
router.include_router(asking.files)
router.include_router(asking.router)
router.include_router(telling.router)
