"""What was decided elsewhere: our environment, and the sample catalogue, calendars and agencies as files."""
