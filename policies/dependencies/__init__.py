"""What is known about the packages that a release takes along."""
