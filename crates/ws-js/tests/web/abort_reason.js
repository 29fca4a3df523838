const reason = { why: 1 };
const controller = new AbortController();
controller.abort(reason);
log(controller.signal.reason === reason);
try { controller.signal.throwIfAborted(); } catch (e) { log(e === reason); }
log(AbortSignal.abort('r').reason, AbortSignal.abort().reason.name, AbortSignal.abort(null).reason);
new AbortController().signal.throwIfAborted();
