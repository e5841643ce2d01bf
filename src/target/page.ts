export const page = 'x'
