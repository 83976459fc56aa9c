"""What a unit that has a dossier asks of another body, by when, and what is answered.

Decree 61/2018/NĐ-CP Art. 19(5): the request says what is asked and by when; where no answer comes
in time, the unit that leads tells the head of the one-stop unit. The dossier's clock runs on.
"""
