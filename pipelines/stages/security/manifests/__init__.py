"""What charts render, judged by rules of our own: the restricted Pod Security Standard and a little more."""
