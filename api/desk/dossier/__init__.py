"""A dossier at the desk: all that answers its applicant, and what may be done to it next.

`pages` are its doors and `consulting` those of opinions asked for; `offer` says what is open, with
the `fields` that each act brings along, and `hearing` reads them. `telling`, `timeline` and
`shapes` make words of rows.
"""
