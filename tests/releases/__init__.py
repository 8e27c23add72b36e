"""What is published, built with training (profile-guided optimization)."""
