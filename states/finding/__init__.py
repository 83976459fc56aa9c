"""Dossiers found again: lists, search, and the queues of work. Everything here only reads."""
