"""The pages as people use them: in a real Chromium, by mouse, by keyboard, by script and without."""
