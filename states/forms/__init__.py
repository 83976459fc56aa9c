"""The papers that a regime prescribes, each as data: what is printed on it of one dossier.

Pure, but for `reading`, `registering` and `templates`, which ask the database. How a form looks is
a template's to say (`api/papers/forms`).
"""
