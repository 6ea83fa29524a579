/* The one function of bcryptprimitives.dll that Rust's standard library needs, for versions of Wine without it. */
#include <windows.h>
#include <ntsecapi.h>

BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size)
{
    return RtlGenRandom(data, (ULONG)size);
}
