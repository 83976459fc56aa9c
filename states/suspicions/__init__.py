"""What is worth a look: patterns that honest work seldom leaves. Nobody is judged by them."""
