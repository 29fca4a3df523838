// args: --dns ttl=1m,x=1
export default function () {}
