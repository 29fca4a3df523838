# Python's aiohttp (https://pypi.org/project/aiohttp/), behaving as peers/src/lib.rs says. It cannot send fragments.
# usage: aiohttp_server.py HOST CERTIFICATE KEY
import asyncio, ssl, sys
from aiohttp import WSMsgType, web

async def session(request):
    behaviour = request.path.split("/")[1]
    # The session itself answers pings: else it would not see pongs.
    socket = web.WebSocketResponse(protocols=("chat.v2", "chat.v1"), autoping=False, max_msg_size=0)
    socket.set_cookie("visit", "7", path="/")
    await socket.prepare(request)
    if behaviour == "cookie":
        await socket.send_str(request.headers.get("Cookie", "-"))
    code, reason = None, ""
    while True:
        message = await socket.receive()
        if message.type == WSMsgType.PING:
            await socket.pong(message.data)
        elif message.type == WSMsgType.PONG:
            await socket.send_str("pong " + bytes(message.data).decode())
        elif message.type == WSMsgType.BINARY:
            await socket.send_bytes(message.data)
        elif message.type != WSMsgType.TEXT:
            # What the client said; if this side has closed first, close() has read the answer.
            if message.type == WSMsgType.CLOSE:
                code, reason = message.data, message.extra
            break
        elif behaviour == "ping":
            await socket.ping(message.data.encode())
        elif behaviour == "close":
            status, words = message.data.split(" ", 1)
            await socket.close(code=int(status), message=words.encode())
            # The code of the answer; its reason is not told.
            code = socket.close_code
            break
        else:
            await socket.send_str(message.data)
    print(request.path, code, reason or "", flush=True)
    return socket

async def main():
    host, certificate, key = sys.argv[1:]
    application = web.Application()
    application.router.add_get("/{path:.*}", session)
    runner = web.AppRunner(application)
    await runner.setup()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    # The port that the kernel chooses: nobody else can have it.
    for context in (None, tls):
        await web.TCPSite(runner, host, 0, ssl_context=context).start()
    print(*(address[1] for address in runner.addresses), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

asyncio.run(main())
