"""Notices: what is told to citizens, staff and other systems, once per fact."""
