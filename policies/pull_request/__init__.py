"""What a pull request must say."""
