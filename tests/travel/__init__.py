"""Classes and results go to the workers of others, and come back."""
