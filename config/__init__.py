"""What was decided elsewhere: our environment, and the sample catalogue as files."""
