"""What the desk's own numbers are worth: who answers for them, what the bars have shown, what may rest on them."""
