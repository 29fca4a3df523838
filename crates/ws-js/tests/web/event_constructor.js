const e = new Event('x', { bubbles: 1, cancelable: 'yes', composed: null });
log(e.type, e.bubbles, e.cancelable, e.composed, e.target, e.currentTarget, e.eventPhase, e.defaultPrevented, e.isTrusted);
log(new Event(undefined).type, new Event(5).type, typeof new Event('x').timeStamp);
log(caught(() => new Event()), caught(() => Event('x')), caught(() => new Event('x', 5)));
log(new Event('x', null).bubbles, new Event('x', undefined).bubbles);
log(Event.NONE, Event.CAPTURING_PHASE, Event.AT_TARGET, Event.BUBBLING_PHASE, e.AT_TARGET);
log(String(e), Event.length, Event.name, Object.keys(Event.prototype).includes('preventDefault'));
