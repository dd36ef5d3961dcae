"""skgenre inside other programs."""
