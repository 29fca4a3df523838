// What is exported is looked at when it is needed.
export default function () {}

export const handleSummary = 'text';
