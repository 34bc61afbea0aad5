a + nothing(b, c
