-- Until the end of the transaction nobody else gives or ends tokens; looking them up goes on.
LOCK TABLE token IN SHARE ROW EXCLUSIVE MODE
