log(caught(() => crypto.subtle));
try { crypto.subtle; } catch (e) { log(e.message); }
