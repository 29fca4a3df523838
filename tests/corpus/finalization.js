// Their callbacks would have to run outside of all iterations.
export default function () {
  console.log(typeof FinalizationRegistry, 'FinalizationRegistry' in globalThis);
  console.log(typeof globalThis.Atomics?.waitAsync);
  try { new FinalizationRegistry(() => {}); } catch (e) { console.log(String(e)); }
}
