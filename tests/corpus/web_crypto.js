export default function () {
  const bytes = new Uint32Array(16);
  console.log(`${crypto.getRandomValues(bytes) === bytes} ${new Set(bytes).size > 8}`);
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  console.log(`${uuid.test(crypto.randomUUID())} ${crypto.randomUUID() !== crypto.randomUUID()}`);
}
