# Python's websockets (https://pypi.org/project/websockets/), behaving as peers/src/lib.rs says.
# usage: websockets_server.py HOST CERTIFICATE KEY [PARAMETERS of permessage-deflate as JSON, null for none]
import asyncio, json, ssl, sys
from websockets.asyncio.server import broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

# Who is in each room, by path.
rooms = {}

async def session(socket):
    path = socket.request.path
    behaviour = path.split("/")[1]
    try:
        if behaviour == "cookie":
            await socket.send(socket.request.headers.get("Cookie", "-"))
        elif behaviour == "room":
            room = rooms.setdefault(path, set())
            room.add(socket)
            broadcast(room, f"joined {len(room)}")
        async for message in socket:
            if behaviour == "room":
                broadcast(room, message)
            elif behaviour == "twice":
                await socket.send(message)
                third = len(message) // 3
                await socket.send([message[:third], message[third:2 * third], message[2 * third:]])
            elif behaviour == "ping":
                await (await socket.ping(message))
                await socket.send("pong " + message)
            elif behaviour == "close":
                code, reason = message.split(" ", 1)
                await socket.close(int(code), reason)
            else:
                await socket.send(message)
    except ConnectionClosed:
        # Raised for codes other than 1000 and 1001.
        pass
    finally:
        rooms.get(path, set()).discard(socket)
    print(path, socket.close_code, socket.close_reason, flush=True)

def subprotocol(socket, offered):
    return next((name for name in ("chat.v2", "chat.v1") if name in offered), None)

def cookie(socket, request, response):
    response.headers["Set-Cookie"] = "visit=7; Path=/"

async def main():
    host, certificate, key, *rest = sys.argv[1:]
    parameters = json.loads(rest[0]) if rest else {}
    options = {
        "compression": None,
        "extensions": None if parameters is None else [ServerPerMessageDeflateFactory(**parameters)],
        "max_size": None,
        "process_response": cookie,
        # By default a client that offers none is turned away.
        "select_subprotocol": subprotocol,
    }
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    # The port that the kernel chooses: nobody else can have it.
    plain = await serve(session, host, 0, **options)
    secure = await serve(session, host, 0, ssl=tls, **options)
    print(*(server.sockets[0].getsockname()[1] for server in (plain, secure)), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

asyncio.run(main())
