from book import *
async def test_x(db):
    p = await process(db)
    print(p.state, p.due_at, p.visit)
    assert p.state == "processing"
async def test_y(fresh):
    async with fresh.begin() as db:
        p = await process(db)
        assert p.code == "H42.14-240304-0001"
