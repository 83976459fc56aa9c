"""What moves running dossiers: a corrected calendar, another version of their procedure.

A change set is proposed (`proposing`), seen before it binds (`preview`), approved by a second
person (`deciding`), and applied in batches, an entry a dossier (`applying`). Which dossiers it is
about, and by what act, is said once (`plans`): what is foreseen is moved by the rules that will
move it.
"""
