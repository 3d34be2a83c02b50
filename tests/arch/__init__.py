"""The house rules that no off-the-shelf linter knows."""
