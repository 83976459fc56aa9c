"""Taking dossiers in: what may be received by whom, what is promised, and who came before."""
