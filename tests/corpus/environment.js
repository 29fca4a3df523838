// args: --env FROM_FLAG=a=b --env EMPTY=
// env: FROM_SYSTEM=yes

export default function () {
  console.log(`${__VU} ${__ITER} ${__ENV.FROM_FLAG} ${JSON.stringify(__ENV.EMPTY)} ${__ENV.FROM_SYSTEM} ${__ENV.NONE}`);
}
