"""The desk: pages for clerks, managers, agencies and citizens, over the same functions as /v1.

`leaf` is what a page is: its door. `seat` is who sits there. `typed` is what a form says. `paint`
makes the page, from `api/templates`. `nav` is what leads where, and `names` what things are called.
Every other module is a part of the desk with a router of its own, and has its line in `ROUTERS`.
"""
