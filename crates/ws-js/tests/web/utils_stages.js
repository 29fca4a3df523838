import { normalDistributionStages, getCurrentStageIndex, tagWithCurrentStageIndex, tagWithCurrentStageProfile } from 'https://jslib.k6.io/k6-utils/1.3.0/index.js';
const stages = normalDistributionStages(10, 20);
log(stages.map(({ duration, target }) => `${duration}:${target}`).join());
log(normalDistributionStages(100, 60, 4).map(({ duration, target }) => `${duration}:${target}`).join());
for (const f of [getCurrentStageIndex, tagWithCurrentStageIndex, tagWithCurrentStageProfile]) {
  try {
    f();
  } catch (e) {
    log(e.message, e.stack.includes('ws:'));
  }
}
