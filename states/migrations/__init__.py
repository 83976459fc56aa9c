"""The database's own history, told by Alembic."""
