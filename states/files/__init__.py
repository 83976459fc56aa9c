"""Files of a dossier's components: kept by what they are, attached to what they are of.

`store` keeps bytes under their SHA-256, `kinds` says what they are, `attaching` knows of which
component they are and since when, `sweeping` removes what nothing refers to.
"""
